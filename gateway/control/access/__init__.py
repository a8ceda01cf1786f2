"""Who may do what: roles of people, scopes of machines' tokens."""
