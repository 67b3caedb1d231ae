"""What every simulated helpdesk is made of. It knows no helpdesk: it imports no adapter, no policy and no
connector."""
