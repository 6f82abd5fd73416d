"""What stands before a server on the loopback interface. Each writes the port it listens on to FILE, which may be a pipe, when
it is ready.

front.py FILE tls CERTIFICATE KEY PORT   takes TLS and passes what is inside on to PORT
front.py FILE proxy LOG                  a proxy: lets CONNECT through, and writes a line for each request to LOG
front.py FILE metadata                   the metadata service of an instance whose role has the keys test and test"""
import socket
import ssl
import sys
import threading

words = sys.argv[1:]


def pump(source, target):
    try:
        while block := source.recv(1 << 16):
            target.sendall(block)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(here, there):
    thread = threading.Thread(target=pump, args=(here, there), daemon=True)
    thread.start()
    pump(there, here)
    thread.join()


def head(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        block = connection.recv(4096)
        if not block:
            return ""
        text += block
    return text.decode()


def tls(connection):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(words[2], words[3])
    join(context.wrap_socket(connection, server_side=True), socket.create_connection(("127.0.0.1", int(words[4]))))


def proxy(connection):
    line = head(connection).split("\r\n")[0]
    with open(words[2], "a") as log:
        log.write(line + "\n")
    method, place, _ = line.split(" ")
    if method == "CONNECT":
        there = socket.create_connection(tuple(place.rsplit(":", 1)))
        connection.sendall(b"HTTP/1.1 200 go on\r\n\r\n")
        join(connection, there)


def metadata(connection):
    while request := head(connection):
        if request.startswith("PUT /latest/api/token "):
            body = "a token"
        elif "\r\nx-aws-ec2-metadata-token: a token\r\n" not in request:
            body = ""
        elif request.startswith("GET /latest/meta-data/iam/security-credentials/ "):
            body = "role"
        else:
            body = ('{"Code":"Success","AccessKeyId":"test","SecretAccessKey":"test","Token":"test",'
                    '"Expiration":"2099-01-01T00:00:00Z"}')
        status = "200 OK" if body else "401 Unauthorized"
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def serve(connection):
    try:
        {"tls": tls, "proxy": proxy, "metadata": metadata}[words[1]](connection)
    except OSError:
        pass
    finally:
        connection.close()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
with open(words[0], "w") as out:
    print(listener.getsockname()[1], file=out)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
