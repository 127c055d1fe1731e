// OpenRouter's own SDK as a program that hands out keys: its validators refuse
// every answer that lacks a member.
import assert from 'node:assert/strict';
import { OpenRouter } from '@openrouter/sdk';
import * as errors from '@openrouter/sdk/models/errors';

const at = (apiKey) => new OpenRouter({ serverURL: process.env.GATEWAY + '/api/v1', apiKey, retryConfig: { strategy: 'none' } });
const client = at(process.env.MANAGEMENT_KEY);

const made = await client.apiKeys.create({ requestBody: { name: 'sdk-made', limit: 12.5, limitReset: 'weekly', expiresAt: new Date('2099-01-01T00:00:00Z') } });
const { hash } = made.data;
assert.match(made.key, /^hyi-/);
assert.equal(made.data.limit, 12.5);
assert.equal(made.data.limitRemaining, 12.5);
assert.equal(made.data.limitReset, 'weekly');
assert.equal((await client.apiKeys.get({ hash })).data.name, 'sdk-made');

const listed = await client.apiKeys.list({});
const keys = listed.data ?? listed.result.data;
assert.ok(keys.some((k) => k.hash === hash && !k.disabled));
const changed = await client.apiKeys.update({ hash, requestBody: { limit: null, disabled: true, name: 'sdk-changed' } });
assert.equal(changed.data.limit, null);
assert.equal(changed.data.disabled, true);
assert.equal(changed.data.name, 'sdk-changed');

assert.equal((await client.credits.getCredits()).data.totalCredits, 0);
assert.ok(Array.isArray((await client.analytics.getUserActivity({})).data));
assert.deepEqual(await client.apiKeys.delete({ hash }), { deleted: true });
await assert.rejects(client.apiKeys.get({ hash }), errors.NotFoundResponseError);
await assert.rejects(at('hyi-wrong').apiKeys.list({}), errors.UnauthorizedResponseError);
await assert.rejects(client.chat.send({ chatRequest: { model: 'demo', messages: [{ role: 'user', content: 'x' }] } }), errors.UnauthorizedResponseError);
