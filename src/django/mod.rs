//! What to execute in the container to run Django. Pure.
