//! The verbs a forward pass is made of, and the backends that run them.
