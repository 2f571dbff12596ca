"""The rules of the product: pure, standard library only, no boto3, no clock, no environment."""
