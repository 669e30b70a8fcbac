// An outside provider for tests: oidc-provider (certified) with one client and its own development pages for signing in and consent.
// node provider.mjs PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI POST_LOGOUT_URI
import { Provider } from "oidc-provider";

const [port, client_id, client_secret, redirect_uri, post_logout] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id, client_secret, redirect_uris: [redirect_uri], post_logout_redirect_uris: [post_logout] }],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name", "employee_number"] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, name: `name of ${id}`, employee_number: id }) }),
  cookies: { keys: ["tests only"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
