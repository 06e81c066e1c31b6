"""取込ウィザード: a file becomes rows, in steps that can be looked at and undone."""
