"""What is remembered: tables, and one function for each question asked of them."""
