//! Results as JSON; tables and plots are views of the JSON.
