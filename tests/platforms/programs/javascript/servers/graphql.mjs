// GraphQL Yoga and graphql-ws, both as published, at one address: queries and changes by HTTP, subscriptions as an event stream,
// and all three over a WebSocket.
import http from "node:http";
import { createPubSub, createSchema, createYoga } from "graphql-yoga";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import listening from "./listening.cjs";

const told = createPubSub();
const messages = [];

const schema = createSchema({
  typeDefs: /* GraphQL */ `
    type Message { id: ID! room: ID! author: String! text: String! likes: Int! }
    type Query { messages(room: ID!): [Message!]! }
    type Mutation {
      say(room: ID!, text: String!): Message!
      edit(room: ID!, id: ID!, text: String!): Message!
      like(id: ID!): Message!
    }
    type Subscription { told(room: ID!): Message! }
  `,
  resolvers: {
    Query: { messages: (_, { room }) => messages.filter((one) => one.room === room) },
    Mutation: {
      say: (_, { room, text }, { author }) => {
        const message = { id: String(messages.length + 1), room, author, text, likes: 0 };
        messages.push(message);
        told.publish(room, message);
        return message;
      },
      edit: (_, { id, text }) => Object.assign(messages[Number(id) - 1], { text }),
      like: (_, { id }) => {
        messages[Number(id) - 1].likes += 1;
        return messages[Number(id) - 1];
      },
    },
    Subscription: {
      told: { subscribe: (_, { room }) => told.subscribe(room), resolve: (message) => message },
    },
  },
});

const yoga = createYoga({
  schema,
  logging: false,
  graphiql: false,
  batching: true,
  context: ({ req }) => ({ author: listening.author(req) }),
});
const server = http.createServer(yoga);
useServer(
  { schema, context: ({ extra }) => ({ author: listening.author(extra.request) }) },
  new WebSocketServer({ server, path: "/graphql" }),
);
listening.listen(server);
