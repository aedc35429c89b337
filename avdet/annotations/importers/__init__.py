"""Other tools' annotation files, read as rows of people and what they do."""
