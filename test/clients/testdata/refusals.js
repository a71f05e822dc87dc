// Asks a service of each protocol that larder does not serve, and prints how its client tells of the refusal.
const cases = {
  query: ['iam', 'ListUsers'],
  ec2: ['ec2', 'DescribeInstances'],
  'json 1.0': ['dynamodb', 'ListTables'],
  'json 1.1': ['ssm', 'DescribeParameters'],
  'rest-json': ['lambda', 'ListFunctions'],
  'rest-xml': ['route-53', 'ListHostedZones'],
  s3: ['s3', 'ListBuckets'],
  's3 HEAD': ['s3', 'HeadBucket', { Bucket: 'shop' }],
  cbor: ['compute-optimizer', 'GetEnrollmentStatus'],
};

async function refusal([service, operation, input]) {
  const sdk = require(`@aws-sdk/client-${service}`);
  const isClient = (c) => typeof c === 'function' && /.Client$/.test(c.name) && !c.name.startsWith('_');
  const Client = Object.values(sdk).find(isClient);
  const client = new Client({ region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL });
  let requests = 0, spoken = '';
  client.middlewareStack.add((next) => (args) => {
    requests++;
    const { headers } = args.request;
    spoken = headers['smithy-protocol'] || headers['content-type'] || '';
    return next(args);
  }, { step: 'finalizeRequest', priority: 'low' });
  try {
    await client.send(new sdk[`${operation}Command`](input || {}));
  } catch (err) {
    const { httpStatusCode, extendedRequestId = '' } = err.$metadata || {};
    return { status: httpStatusCode, text: `${err.name}: ${err.message}`, id2: extendedRequestId, requests, spoken };
  }
  return { text: 'no error', requests, spoken };
}

(async () => {
  const all = {};
  for (const [name, what] of Object.entries(cases)) {
    all[name] = await refusal(what);
  }
  console.log(JSON.stringify(all));
})();
