//! Requests in, events out: the current model, the queue of jobs, cancellation.
