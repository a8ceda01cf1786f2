// What the two clients of GraphQL send, and nothing else: the documents of the preset, as a page knows its own when it is built.
export const MESSAGES = `query Messages($room: ID!) {
  messages(room: $room) {
    id
    text
  }
}`;
export const SAY = `mutation Say($room: ID!, $text: String!) {
  say(room: $room, text: $text) {
    id
    text
  }
}`;
export const EDIT = `mutation Edit($room: ID!, $id: ID!, $text: String!) {
  edit(room: $room, id: $id, text: $text) {
    id
    text
  }
}`;
export const LIKE = `mutation Like($id: ID!) {
  like(id: $id) {
    id
    likes
  }
}`;
export const TOLD = `subscription Told($room: ID!) {
  told(room: $room) {
    id
    text
  }
}`;
