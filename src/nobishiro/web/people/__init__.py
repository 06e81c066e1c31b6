"""Who works here: users and roles, divisions, reps, calendar, targets."""
