"""Sends mail with Python's smtplib: clients.py CASE PORT. Any surprise is an exception."""

import smtplib
import ssl
import sys
from email.message import EmailMessage

case, port = sys.argv[1], int(sys.argv[2])
trusting = ssl._create_unverified_context()


def message(subject):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ops@example.org", "alerts@example.org", subject
    mail.set_content("line\n.\n..dots\n" + "x" * 300 + "\n")
    return mail


if case == "implicit":
    client = smtplib.SMTP_SSL("127.0.0.1", port, context=trusting)
else:
    client = smtplib.SMTP("127.0.0.1", port)
with client:
    if case == "helo":
        client.helo("zabbix")
        client.send_message(message(case))
    elif case == "ehlo":
        client.send_message(message(case))
        client.send_message(message(case))
        assert client.verify("ops")[0] == 252
        assert client.noop()[0] == 250
    elif case == "starttls":
        client.starttls(context=trusting)
        client.send_message(message(case))
    elif case in ("PLAIN", "LOGIN"):
        client.starttls(context=trusting)
        client.ehlo()
        client.user, client.password = "ops", "hunter2"
        assert client.auth(case, getattr(client, "auth_" + case.lower()))[0] == 235
        client.send_message(message(case))
    elif case == "implicit":
        client.login("ops", "hunter2")
        client.send_message(message(case))
    elif case == "smtputf8":
        client.send_message(message("Störung"), "wächter@example.org", ["жук@пример.рф"])
    elif case == "null":
        client.sendmail("", ["alerts@example.org"], "Subject: null\r\n\r\nx")
    elif case == "refused":
        try:
            client.login("ops", "hunter2")
        except smtplib.SMTPNotSupportedError:
            client.starttls(context=trusting)
        try:
            client.login("ops", "wrong")
        except smtplib.SMTPAuthenticationError as error:
            assert error.smtp_code == 535, error
        else:
            raise AssertionError("a wrong password was taken")
    else:
        raise SystemExit(f"no such case: {case}")
