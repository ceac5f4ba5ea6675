"""An SSH client made with paramiko, for paramiko.test.ts.

usage: paramiko_client.py serve|probe|register PORT KEY-FILE KNOWN-HOSTS-FILE FORWARD-PORT SERVICE-PORT

serve: forwards FORWARD-PORT to the service on SERVICE-PORT until it is ended; says "ready PORT" on standard error.
probe: tries what no client may do, and prints what became of each as JSON.
register: registers PUBLIC_KEY with JOIN_CODE (both in the environment) and asks for the status; prints both answers as JSON.
"""
import base64
import json
import os
import socket
import sys
import threading

import paramiko

mode, port, key_file, known_hosts, forward_port, service_port = sys.argv[1:]


def connect(log_in=None):
    with open(known_hosts) as file:
        expected = file.read().split()[2]
    transport = paramiko.Transport(("127.0.0.1", int(port)))
    transport.start_client(timeout=20)
    shown = base64.b64encode(transport.get_remote_server_key().asbytes()).decode()
    assert shown == expected, "another host key than the pinned one"
    if log_in is None:
        transport.auth_publickey("petit", paramiko.Ed25519Key.from_private_key_file(key_file))
    else:
        log_in(transport)
    return transport


def copy(read, write, finish):
    while True:
        data = read(65536)
        if not data:
            break
        write(data)
    finish()


def join(channel):
    service = socket.create_connection(("127.0.0.1", int(service_port)))
    up = threading.Thread(target=copy, args=(channel.recv, service.sendall, lambda: service.shutdown(socket.SHUT_WR)))
    up.start()
    copy(service.recv, channel.sendall, channel.shutdown_write)
    up.join()
    channel.close()
    service.close()


def serve(transport):
    forwarded = transport.request_port_forward("127.0.0.1", int(forward_port))
    print("ready", forwarded, file=sys.stderr, flush=True)
    while True:
        channel = transport.accept(3600)
        threading.Thread(target=join, args=(channel,), daemon=True).start()


def probe(transport):
    service = ("127.0.0.1", int(service_port))
    attempts = {
        "session": lambda: transport.open_session(timeout=20),
        "x11": lambda: transport.open_x11_channel(("127.0.0.1", 1)),
        "agent": lambda: transport.open_forward_agent_channel(),
        "direct-tcpip": lambda: transport.open_channel("direct-tcpip", service, ("127.0.0.1", 1), timeout=20),
        "forwarded-tcpip": lambda: transport.open_forwarded_tcpip_channel(("127.0.0.1", 1), service),
        "nonsense": lambda: transport.open_channel("nonsense@example.com", timeout=20),
        "tun": lambda: transport.open_channel("tun@openssh.com", timeout=20),
        "privileged port": lambda: transport.request_port_forward("127.0.0.1", 80),
        "socket": lambda: transport.global_request("streamlocal-forward@openssh.com", ["/run/petit"], wait=True) or refuse(),
        "foreign port": lambda: transport.request_port_forward("127.0.0.1", int(forward_port)),
        "global request": lambda: transport.global_request("nonsense@example.com", wait=True) or refuse(),
    }
    outcomes = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            outcomes[name] = "allowed"
        except paramiko.ChannelException as error:
            outcomes[name] = f"refused {error.code}"
        except paramiko.SSHException:
            outcomes[name] = "refused"
    outcomes["still connected"] = transport.is_active()
    transport.close()
    print(json.dumps(outcomes))


def refuse():
    raise paramiko.SSHException("refused")


def run(transport, command, typed=None):
    channel = transport.open_session(timeout=20)
    channel.exec_command(command)
    if typed is not None:
        channel.sendall(typed)
    channel.shutdown_write()
    answer = {
        "out": channel.makefile("rb").read().decode(),
        "err": channel.makefile_stderr("rb").read().decode(),
        "code": channel.recv_exit_status(),
    }
    transport.close()
    return answer


def register():
    joining = connect(lambda transport: transport.auth_password("join", os.environ["JOIN_CODE"]))
    registered = run(joining, "register --json", os.environ["PUBLIC_KEY"].encode())
    print(json.dumps({"registered": registered, "status": run(connect(), "status")}))


if mode == "register":
    register()
else:
    {"serve": serve, "probe": probe}[mode](connect())
