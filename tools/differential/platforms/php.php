<?php
// PHP as it comes: superglobals, and JSON from php://input.
function texts($found): array {
    if (!is_array($found)) { return []; }
    $comment = $found['comment'] ?? null;
    $flat = [];
    $nested = str_contains($_SERVER['REQUEST_URI'], '/nested/');
    $all = [$nested ? (is_array($comment) ? ($comment['body'] ?? null) : null) : ($found['content'] ?? null)];
    array_walk_recursive($all, function ($text) use (&$flat) { if (is_string($text)) { $flat[] = $text; } });
    return $flat;
}
$views = ['query' => texts($_GET), 'form' => texts($_POST), 'request' => texts($_REQUEST)];
$type = strtolower(trim(explode(';', $_SERVER['CONTENT_TYPE'] ?? '')[0]));
if (str_ends_with($type, 'json')) { $views['json'] = texts(json_decode(file_get_contents('php://input'), true)); }
http_response_code(201);
header('Content-Type: application/json');
echo json_encode($views, JSON_INVALID_UTF8_SUBSTITUTE);
