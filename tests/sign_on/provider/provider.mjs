// An OpenID Connect provider that lets everybody in who types a name: node provider.mjs NODE_MODULES PORT CALLBACK SIGNED_OUT
// It insists on PKCE, and gives names and groups only to who asks at its userinfo endpoint, as its specification has it.
const [modules, port, callback, signedOut] = process.argv.slice(2);
const { default: Provider } = await import(`${modules}/oidc-provider/lib/index.js`);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'recto',
      client_secret: 'a secret for tests',
      redirect_uris: [callback],
      post_logout_redirect_uris: [signedOut],
    },
  ],
  pkce: { methods: ['S256'], required: () => true },
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  cookies: { keys: ['a key for tests'] },
  async findAccount(_context, id) {
    const groups = id.startsWith('chief') ? ['office', 'recto-admins'] : ['office'];
    return { accountId: id, claims: () => ({ sub: id, preferred_username: id, groups }) };
  },
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
