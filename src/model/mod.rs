//! One BERT forward pass, generic over the backend's verbs.
