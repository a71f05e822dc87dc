// Writes keys, has the group fail over, and reads them all back over the same client.
const { execFileSync } = require('child_process');
const Redis = require('ioredis');

const keys = 200;
const redis = new Redis(process.env.REDIS_URL);
redis.on('error', (err) => console.error(err.message)); // the failover ends the connection: ioredis connects anew

(async () => {
  for (let i = 0; i < keys; i++) {
    await redis.set(`key:${i}`, `value ${i}`);
  }
  const report = JSON.parse(execFileSync('larder', ['failover', '--json']));
  let read = 0;
  for (let i = 0; i < keys; i++) {
    if (await redis.get(`key:${i}`) === `value ${i}`) read++;
  }
  const role = (await redis.info('replication')).match(/role:(\w+)/)[1];
  const moved = report.old_primary !== report.new_primary;
  console.log(JSON.stringify({ read, role, tls: process.env.REDIS_TLS, moved }));
  await redis.quit();
})().catch((err) => { console.error(err); process.exit(1); });
