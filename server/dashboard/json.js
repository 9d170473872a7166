// The server's JSON. Its texts are what others chose: a character that turns the direction of the words behind it,
// and so makes another sentence of them, becomes a sign that there was one.

const TURNING = /[\u202A-\u202E\u2066-\u2069]/g;

export const parse = (text) => JSON.parse(text.replace(TURNING, '\uFFFD'));
