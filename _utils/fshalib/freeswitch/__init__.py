"""FreeSWITCH: its Event Socket, its calls and its configuration."""
