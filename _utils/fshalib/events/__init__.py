"""What goes to Salt: state returns, events, and the journal that keeps them."""
