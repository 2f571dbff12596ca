"""The prices that come with the product, and how a table kept by others becomes ours."""
