"""One pass: it lists, decides, deletes, publishes and writes down what happened."""
