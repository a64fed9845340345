"""Static tests of generated projects: files, style, types, Dockerfiles, compose files and locks."""
