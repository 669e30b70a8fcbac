"""What listens on the HTTP port: readiness, static files, live feed, data routes; everything else passes to control."""
