"""Moving what is placed already, each move worth its cost."""
