import re
# Stands before the others: texts without passwords.


def without_passwords(text, passwords):
    # Drivers quote a connection string that they cannot read, with the password in it.
    from urllib.parse import quote
    text = re.sub(r"(\w://[^/\s:@]*):[^/\s]*@", r"\1:***@", str(text))
    text = re.sub(r"(?i)(passw\w*\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'\"]+)", r"\1***", text)
    for secret in passwords:
        secret = str(secret or "")
        if len(secret) > 3:
            for word in {secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1]}:
                text = text.replace(word, "***")
    return text
