//! The Loihi 2 equations, as published, and networks evaluated by them.
