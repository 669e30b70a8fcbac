// Another department's system for tests: openid-client (certified) behind a small web server.
// node client.mjs PORT ISSUER CLIENT_ID CLIENT_SECRET
import { createServer } from "node:http";
import * as client from "openid-client";

const [port, issuer, id, secret] = process.argv.slice(2);
const here = `http://127.0.0.1:${port}`;
const config = await client.discovery(new URL(issuer), id, { client_secret: secret }, undefined, { execute: [client.allowInsecureRequests] });
const waiting = {};

async function begin() {
  waiting.verifier = client.randomPKCECodeVerifier();
  waiting.state = client.randomState();
  waiting.nonce = client.randomNonce();
  return client.buildAuthorizationUrl(config, {
    redirect_uri: `${here}/callback`,
    scope: "openid profile organization",
    code_challenge: await client.calculatePKCECodeChallenge(waiting.verifier),
    code_challenge_method: "S256",
    state: waiting.state,
    nonce: waiting.nonce,
  }).href;
}

async function finish(url) {
  const checks = { pkceCodeVerifier: waiting.verifier, expectedState: waiting.state, expectedNonce: waiting.nonce };
  const tokens = await client.authorizationCodeGrant(config, new URL(url, here), checks);
  waiting.access = tokens.access_token;
  const claims = tokens.claims();
  return { claims, userinfo: await client.fetchUserInfo(config, tokens.access_token, claims.sub) };
}

async function again() {
  try {
    return await client.fetchUserInfo(config, waiting.access, client.skipSubjectCheck);
  } catch (error) {
    return { refused: error.status ?? String(error) };
  }
}

createServer(async (request, response) => {
  try {
    if (request.url === "/") return response.writeHead(302, { Location: await begin() }).end();
    if (request.url === "/again") return response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(await again()));
    if (!request.url.startsWith("/callback")) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(await finish(request.url)));
  } catch (error) {
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ error: error.error ?? error.code ?? String(error) }));
  }
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
