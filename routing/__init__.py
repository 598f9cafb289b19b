"""Orders in, plan out."""
