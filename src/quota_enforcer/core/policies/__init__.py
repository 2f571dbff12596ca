"""Every policy document of the product, as pure code; tests hold the template to it."""
