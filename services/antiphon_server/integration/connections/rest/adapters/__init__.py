"""How such services are asked, and what their answers are as results."""
