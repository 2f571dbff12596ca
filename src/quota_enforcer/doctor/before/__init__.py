"""What an account is like before anything is deployed: who uses Bedrock, how, and what it takes."""
