"""The platform's side: servers, pools, calls."""
