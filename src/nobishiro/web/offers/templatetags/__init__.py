"""Words of the gap matrix in templates."""
