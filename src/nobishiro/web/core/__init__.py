"""What every screen needs: permissions, layout, lists, figures, jobs, the audit trail."""
