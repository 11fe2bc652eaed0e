# Prints which settings manage.py names, and the versions of Python and Django, as a line of JSON. settings.py stands before it.
def describe_versions():
    global stage
    stage = globals().get("stage")
    stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        if stage != "shell":
            enter_project(True)
        import django
        import platform
        return {"settings": os.environ.get("DJANGO_SETTINGS_MODULE"), "python": platform.python_version(), "django": django.get_version()}
    except (Exception, SystemExit) as e:
        return {"error": without_passwords("%s: %s" % (type(e).__name__, e), [])}
    finally:
        sys.stdout = stdout


sys.stdout.write("\nkdj-versions: %s\n" % json.dumps(describe_versions()))
sys.stdout.flush()
