"""gunicorn's settings: `gunicorn -c python:shop.gunicorn shop.wsgi`."""
bind = "0.0.0.0:8000"
workers = 1
threads = 4
worker_class = "gthread"
worker_tmp_dir = "/dev/shm"
graceful_timeout = 2
control_socket_disable = True
