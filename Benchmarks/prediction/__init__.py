"""What `script/bench predict` is made of: the other libraries' models, sections, and the report."""
