"""Who may do what: signing in here, at a provider or at a proxy, and what each address asks for."""
