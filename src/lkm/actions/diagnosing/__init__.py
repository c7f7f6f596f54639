"""What error messages and log lines mean."""
