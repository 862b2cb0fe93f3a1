/// A game server in another language, written by `Sources/MusterInstance/README.md` alone: Python's library and PyJWT.
///
/// It waits for the two players of one match, lets the first win, and ends. Its last line is what it saw, as JSON.
enum ForeignInstance {
    static let program = #"""
        import json, os, socket, threading, time, urllib.error, urllib.request
        import jwt

        API, TOKEN = os.environ["MUSTER_API_URL"], os.environ["MUSTER_INSTANCE_TOKEN"]
        ID, REGION = os.environ["MUSTER_INSTANCE_ID"], os.environ["MUSTER_INSTANCE_REGION"]
        RETRIED = {401, 403, 408, 425, 429}

        def ask(method, path, body=None):
            request = urllib.request.Request(API + path, method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return answer.status, json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read() or b"null")
            except OSError as error:
                return 599, str(error)

        def insist(method, path, body=None):
            pause = 0.1
            while True:
                status, answer = ask(method, path, body)
                if status < 500 and status not in RETRIED:
                    return status, answer
                time.sleep(pause)
                pause = min(2 * pause, 5)

        seen = {"refused": [], "orders": [], "joined": []}
        matches, used, keys, finished = [], {}, {}, threading.Event()
        guard = threading.Condition()

        def key_of(kid):
            if kid not in keys:
                status, answer = insist("GET", "/.well-known/jwks.json")
                for key in answer["keys"]:
                    if key.get("kty") == "OKP" and key.get("crv") == "Ed25519":
                        keys[key["kid"]] = jwt.PyJWK(key).key
            return keys[kid]

        def admit(token):
            if len(token) > 4096 or token.count(".") != 2:
                raise ValueError("form")
            header = jwt.get_unverified_header(token)
            if header["alg"] != "EdDSA" or "crit" in header:
                raise ValueError("algorithm")
            claims = jwt.decode(token, key_of(header["kid"]), algorithms=["EdDSA"], issuer="muster",
                audience="instance:" + ID, options={"require": ["exp", "sub", "aud", "iss", "jti", "match"]})
            if claims["exp"] > time.time() + 120:
                raise ValueError("long-lived")
            if claims["jti"] in used:
                raise ValueError("used")
            used[claims["jti"]] = claims["exp"]
            return claims["sub"], claims["match"]

        def heartbeats(port):
            while not finished.is_set():
                with guard:
                    body = {"region": REGION, "host": "127.0.0.1", "port": port, "slots": 1, "build": "py-1",
                        "matches": list(matches), "state": "ready", "matchesPlayed": 0}
                status, answer = ask("PUT", "/v1/fleet/instances/" + ID, body)
                pause = 0.2
                if status == 200:
                    pause = answer["heartbeatSeconds"]
                    if "order" in answer:
                        seen["orders"].append(answer["order"])
                finished.wait(pause)

        def play(connections):
            match = matches[0]
            status, sheet = insist("GET", "/v1/fleet/matches/" + match + "?balance=omit")
            status, patch = insist("GET", "/v1/patches/%d" % sheet["patch"])
            seen["balance"] = "balance" in sheet
            seen["characters"] = len(patch["characters"])
            teams = [[player["playerId"] for player in team] for team in sheet["teams"]]
            status, answer = ask("POST", "/v1/events", {"events": [{"kind": "match_started",
                "at": int(time.time() * 1000), "matchId": match, "data": {"engine": "python"}}]})
            seen["events"] = status
            players = [{"playerId": player, "team": number, "kills": 1 - number, "deaths": number, "damage": 5}
                for number, team in enumerate(teams) for player in team]
            result = {"winner": 0, "durationMs": 1500, "patch": sheet["patch"], "players": players}
            seen["result"] = [insist("POST", "/v1/fleet/matches/" + match + "/result", result)[0] for _ in range(2)]
            for connection in connections:
                connection.sendall(b'{"type":"finished","winner":0}\n')
                connection.close()

        def main():
            listener = socket.create_server(("127.0.0.1", 0))
            beating = threading.Thread(target=heartbeats, args=(listener.getsockname()[1],))
            beating.start()
            connections, there, roster = [], set(), None
            while roster is None or there != roster:
                connection, _ = listener.accept()
                connection.settimeout(60)
                try:
                    line = connection.makefile("r").readline(4200)
                    player, match = admit(json.loads(line)["token"])
                    if roster is None:
                        status, sheet = insist("GET", "/v1/fleet/matches/" + match + "?balance=omit")
                        if status != 200:
                            raise ValueError("no match")
                        roster = {player["playerId"] for team in sheet["teams"] for player in team}
                        with guard:
                            matches.append(match)
                    if match != matches[0] or player not in roster:
                        raise ValueError("roster")
                except Exception as error:
                    seen["refused"].append(type(error).__name__)
                    connection.sendall(b'{"type":"error","code":"bad-token"}\n')
                    connection.close()
                    continue
                there.add(player)
                seen["joined"].append(player)
                connections.append(connection)
                connection.sendall(b'{"type":"joined"}\n')
            play(connections)
            finished.set()
            beating.join()
            seen["gone"] = ask("DELETE", "/v1/fleet/instances/" + ID)[0]
            print(json.dumps(seen))

        main()
        """#
}
