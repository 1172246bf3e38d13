"""What people look at: web pages and Grafana boards."""
