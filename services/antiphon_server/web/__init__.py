"""The pages for browsers: their files, and the local operator's way in without typing."""
