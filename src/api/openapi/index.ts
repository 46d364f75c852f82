// The OpenAPI 3.1 description of the REST API, made from the schemas that requests are parsed with.
import { version } from '../../version.ts';
import { access } from './access.ts';
import { apiKeys } from './api-keys.ts';
import { batches } from './batches.ts';
import { HEADERS, PARAMETERS } from './components.ts';
import { deadLetters } from './dead-letters.ts';
import type { Node, Resource } from './document.ts';
import { events } from './events.ts';
import { jobs } from './jobs.ts';
import { probes } from './probes.ts';
import { problemExamples, problemSchema, soleProblems } from './problems.ts';
import { quotas } from './quotas.ts';
import { runs } from './runs.ts';
import { schedules } from './schedules.ts';
import { DURATION, toComponents } from './schemas.ts';
import { withScopes } from './scopes.ts';
import { codec, secrets } from './secrets.ts';
import { settings } from './settings.ts';
import { workers } from './workers.ts';
import { workflows } from './workflows.ts';

const RESOURCES: readonly Resource[] = [
  jobs,
  batches,
  schedules,
  workflows,
  runs,
  deadLetters,
  secrets,
  codec,
  workers,
  events,
  settings,
  quotas,
  access,
  apiKeys,
  probes,
];

const ABOUT = `Durable HTTP jobs, schedules and workflows on Temporal and PostgreSQL.

Times are RFC 3339 UTC, durations are texts such as \`30s\`. Unknown fields and parameters are refused. Every field of an
answer is present, \`null\` where there is nothing. Errors are problem+json with a stable \`code\`.`;

export interface OpenApiDocument extends Node {
  openapi: string;
  paths: Record<string, Record<string, Node>>;
  components: { schemas: Record<string, Node>; [kind: string]: Node };
}

export function buildOpenApi(): OpenApiDocument {
  return {
    openapi: '3.1.0',
    info: { title: 'Perdure', version, description: ABOUT, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'This instance' }],
    security: [{}, { token: [] }],
    tags: RESOURCES.map(({ tag }) => tag),
    paths: withScopes(Object.assign({}, ...RESOURCES.map(({ paths }) => paths)) as OpenApiDocument['paths']),
    components: {
      schemas: buildSchemas(),
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: soleProblems(),
      examples: problemExamples(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A JWT or an API key, where authentication is on.' },
      },
    },
  };
}

function buildSchemas(): Record<string, Node> {
  const inputs = Object.assign({}, ...RESOURCES.map(({ inputs = {} }) => inputs)) as NonNullable<Resource['inputs']>;
  const outputs = Object.assign({}, ...RESOURCES.map(({ outputs = {} }) => outputs)) as NonNullable<
    Resource['outputs']
  >;
  const schemas = {
    ...toComponents(inputs, 'input'),
    ...toComponents({ ...outputs, Problem: problemSchema }, 'output'),
    Duration: DURATION,
    Anything: { description: 'Any JSON.' },
    Nothing: { type: 'object', additionalProperties: false },
    OpenApiDocument: { type: 'object', required: ['openapi', 'info', 'paths'] },
  };
  for (const { notes = {} } of RESOURCES) addNotes(schemas, notes);
  return schemas;
}

function addNotes(schemas: Record<string, Node>, notes: NonNullable<Resource['notes']>): void {
  for (const [name, ofProperties] of Object.entries(notes)) {
    for (const [path, note] of Object.entries(ofProperties)) {
      const steps = ['properties', ...path.split('.')];
      const described = steps.reduce<Node | undefined>((node, step) => node?.[step] as Node | undefined, schemas[name]);
      if (!described) throw new Error(`the schema ${name} has no property ${path}`);
      Object.assign(described, note);
    }
  }
}
