"""Imported networks against judges that others wrote."""
