"""Results of integrations: learning curves and what is read off them."""
