# SPDX-License-Identifier: Apache-2.0
"""SIGHUP and the certificate: new connections get the new one, those that are open stay, a wrong file changes nothing.

  python3 certificate.py ADDRESS FOLDER ENGINE LOG     FOLDER has cert.pem and key.pem, which are written anew"""
import http.client
import os
import signal
import ssl
import subprocess
import sys
import time

from client import check, end

address, folder, engine, log = sys.argv[1:]
CERT, KEY = folder + "/cert.pem", folder + "/key.pem"


def make(name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-days", "1",
                    "-keyout", "%s/%s.key" % (folder, name), "-out", "%s/%s.pem" % (folder, name)], check=True, stderr=subprocess.DEVNULL)
    return open("%s/%s.pem" % (folder, name)).read(), open("%s/%s.key" % (folder, name)).read()


def put(certificate, key):
    for path, text in ((CERT, certificate), (KEY, key)):
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)
    os.kill(int(engine), signal.SIGHUP)


def connect():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, context=context, timeout=20)
    connection.connect()
    return connection, ssl.DER_cert_to_PEM_cert(connection.sock.getpeercert(True))


def alive(connection):
    connection.request("GET", "/livez")
    answer = connection.getresponse()
    return answer.status == 200 and answer.read() == b"ok\n"


def said(text, times):
    until = time.monotonic() + 20
    while open(log).read().count(text) < times and time.monotonic() < until:
        time.sleep(0.05)
    return open(log).read().count(text) == times


first = open(CERT).read()
old, seen = connect()
check("the first certificate", seen.strip() == first.strip() and alive(old), seen)
second, second_key = make("second")
put(second, second_key)
check("it says so", said('msg="http: new connections get the new certificate"', 1))
new, seen = connect()
check("the second", seen.strip() == second.strip() and alive(new), seen)
check("who was there stays", alive(old))
third, third_key = make("third")
for what, wrong in (("no certificate", ("nonsense", third_key)), ("no key", (third, third)), ("of another", (third, second_key))):
    before = open(log).read().count('msg="http: the certificate stays as it was"')
    put(*wrong)
    check(what + " is said", said('msg="http: the certificate stays as it was"', before + 1))
    another, seen = connect()
    check(what + " changes nothing", seen.strip() == second.strip() and alive(another) and alive(old), seen)
    another.close()
put(second, second_key)
put(third, third_key)
check("and again", said('msg="http: new connections get the new certificate"', 2))
check("the third", connect()[1].strip() == third.strip() and alive(old) and alive(new))
end()
