"""The recovery store on the pair: a PostgreSQL on each node, replicated both ways."""
