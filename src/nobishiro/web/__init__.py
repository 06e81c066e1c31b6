"""The web application: a Django project over one workspace. Site and worker are processes of it."""
