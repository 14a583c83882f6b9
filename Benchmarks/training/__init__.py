"""What `script/bench train` is made of: data sets, the other libraries' learners, and measuring."""
